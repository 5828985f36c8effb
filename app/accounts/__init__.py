"""Who a person is and what they may do: accounts, roles, sessions, passwords, the audit log."""
