import{a}from"./chunk-AG2MZN4P.js";import"./chunk-OYR2IG2L.js";import"./chunk-3ZPLXK4G.js";import"./chunk-RMJRBTIR.js";export{a as initialize};
