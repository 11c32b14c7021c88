"""Under which names settings are kept."""

ACCESS_ADDRESS = "server-access-name"
USER_MANAGEMENT = "user-management"
SETUP_CODE = "setup-code"
INSTALLATION = "installation"
VAULT = "vault"
MAIL = "mail"
OIDC = "oidc"
