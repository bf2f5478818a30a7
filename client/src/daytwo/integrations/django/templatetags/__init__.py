"""The template library `daytwo_flags`; put `daytwo.integrations.django` into INSTALLED_APPS for it."""
