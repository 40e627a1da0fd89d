from outbox.queries.budget import free_at

__all__ = ["free_at"]
