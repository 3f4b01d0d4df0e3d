//! What every entity's file is written with: [`documented!`] for the table, [`relations!`] for its keys,
//! [`text_enum!`] for columns that hold one of a few words.

/// Wraps a SeaORM model, so that its doc comments become both rustdoc and `DOCS`, the descriptions of the API.
macro_rules! documented {
    (
        $(#[doc = $table_doc:literal])+
        #[sea_orm($($table_attribute:tt)*)]
        pub struct Model {
            $(
                $(#[doc = $doc:literal])+
                $(#[sea_orm($($attribute:tt)*)])?
                pub $column:ident: $column_type:ty,
            )+
        }
    ) => {
        $(#[doc = $table_doc])+
        #[derive(Clone, Debug, PartialEq, Eq, sea_orm::entity::prelude::DeriveEntityModel)]
        #[sea_orm($($table_attribute)*)]
        pub struct Model {
            $(
                $(#[doc = $doc])+
                $(#[sea_orm($($attribute)*)])?
                pub $column: $column_type,
            )+
        }

        /// Descriptions of the table and its columns.
        pub const DOCS: eventsphere_graphql::Docs = eventsphere_graphql::Docs {
            entity: concat!($($table_doc, "\n"),+),
            columns: &[$((stringify!($column), concat!($($doc, "\n"),+))),+],
        };

        impl sea_orm::entity::prelude::ActiveModelBehavior for ActiveModel {}
    };
}

/// The relations of an entity: its own keys, and what points back to it (said by the other entity's key).
macro_rules! relations {
    (
        $(keys { $($key:ident($($from:ident),+) -> $target:ident($($to:ident),+);)* })?
        $(many { $($many:ident = $many_table:ident::$many_key:ident;)* })?
        $(one { $($one:ident = $one_table:ident::$one_key:ident;)* })?
    ) => {
        /// How the table is tied to others.
        #[derive(Clone, Copy, Debug, sea_orm::EnumIter)]
        pub enum Relation {
            $($(
                #[doc = concat!("Our key to `", stringify!($target), "`.")]
                $key,
            )*)?
            $($(
                #[doc = concat!("Rows of `", stringify!($many_table), "` that point to us.")]
                $many,
            )*)?
            $($(
                #[doc = concat!("The row of `", stringify!($one_table), "` that points to us.")]
                $one,
            )*)?
        }

        impl sea_orm::RelationTrait for Relation {
            fn def(&self) -> sea_orm::RelationDef {
                match *self {
                    $($(
                        Self::$key => <Entity as sea_orm::EntityTrait>::belongs_to(crate::$target::Entity)
                            .from(($(Column::$from),+))
                            .to(($(crate::$target::Column::$to),+))
                            .into(),
                    )*)?
                    $($(
                        Self::$many => sea_orm::RelationDef {
                            rel_type: sea_orm::RelationType::HasMany,
                            ..sea_orm::RelationTrait::def(&crate::$many_table::Relation::$many_key).rev()
                        },
                    )*)?
                    $($(
                        Self::$one =>
                            sea_orm::RelationTrait::def(&crate::$one_table::Relation::$one_key).rev(),
                    )*)?
                }
            }
        }
    };
}

/// An enum that is `text` with a check constraint in the database: native enums cannot lose a value again, and
/// comparing them is not leakproof.
macro_rules! text_enum {
    (
        $(#[doc = $enum_doc:literal])+
        pub enum $name:ident {
            $(
                $(#[doc = $doc:literal])+
                $variant:ident = $stored:literal,
            )+
        }
    ) => {
        $(#[doc = $enum_doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, sea_orm::EnumIter, sea_orm::DeriveActiveEnum)]
        #[sea_orm(rs_type = "String", db_type = "Text")]
        pub enum $name {
            $(
                $(#[doc = $doc])+
                #[sea_orm(string_value = $stored)]
                $variant,
            )+
        }

        impl eventsphere_graphql::DescribedEnum for $name {
            const NAME: &'static str = stringify!($name);
            const DESCRIPTION: &'static str = concat!($($enum_doc, "\n"),+);
            const VALUES: &'static [(&'static str, &'static str)] =
                &[$(($stored, concat!($($doc, "\n"),+))),+];
        }

        impl $name {
            /// As stored in the database.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $stored,)+
                }
            }
        }
    };
}

pub(crate) use {documented, relations, text_enum};
