"""pyinfra deploys: one module per service, site.py the entry point."""
