"""An event as people read it: pure functions from the stored body to what templates loop over.

The body has the shape that `errors.normalize` gives it, but whoever sent the event chose every value in it, and it may
have been stored by another version. So nothing here trusts a type, and nothing raises.
"""
