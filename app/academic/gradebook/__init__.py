"""What people do to grades: change one by hand, grade anew with a preview, read them as a table."""
