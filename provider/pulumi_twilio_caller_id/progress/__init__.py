"""Shows people the code and the progress of a verification: on the row, on the terminal's bottom line, by messages."""
