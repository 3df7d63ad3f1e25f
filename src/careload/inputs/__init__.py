"""The science as data: files, quantities, overrides, checks; a `Study` is what comes out."""
