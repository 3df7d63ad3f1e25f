"""One open day of all lanes: its stages in order, the book, the schedule, the counts."""
