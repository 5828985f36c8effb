"""What runs inside the sandbox, sent there as compiled code: it has nothing of the site but these files."""
