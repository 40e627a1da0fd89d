from tests.outbox.mail import postmaster

__all__ = ["postmaster"]
