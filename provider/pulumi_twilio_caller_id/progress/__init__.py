"""What a person sees while a number waits: the resource's row, the terminal's last line, notifications."""
