"""From a row to the mail server: `compose` makes the mail, `smtp` or `provider` hands it over, `drain` decides what
goes when.
"""
