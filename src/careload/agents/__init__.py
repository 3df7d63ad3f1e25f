"""Mesa agents on the rows of the arrays, and the model that runs the weeks."""
