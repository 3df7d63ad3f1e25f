"""What a finished run says: ledger, estimates, tables, files, figures."""
