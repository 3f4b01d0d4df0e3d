import"./chunk-RMJRBTIR.js";var r={},s={};export{r as parsers,s as printers};
