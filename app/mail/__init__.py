"""Mail of the site: an outbox in the database, delivered by jobs."""
