"""The forms of the staff pages: what is typed is kept, and what is wrong is said at the field."""
