"""Addresses: whose request this is (`proxies`), where we may connect to (`addresses`), and connecting (`outgoing`)."""
