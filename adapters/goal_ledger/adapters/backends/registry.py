"""Every kind of store that comes with the ledger: the scheme of its urls, and the function that takes one."""

BACKENDS = {
    "sqlite": "goal_ledger.adapters.backends.sqlite:at",  # plain paths and `:memory:` too
    "postgresql": "goal_ledger.adapters.backends.postgres:at",
    "postgres": "goal_ledger.adapters.backends.postgres:at",
}
