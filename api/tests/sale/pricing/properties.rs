//! Properties of random carts over random catalogues.
