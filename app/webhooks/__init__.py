"""Webhooks: sending the lines of the log to those who subscribed."""

from app.webhooks.dispatch import Webhooks

__all__ = ["Webhooks"]
