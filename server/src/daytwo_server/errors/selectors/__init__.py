"""Every read of the errors room."""
