"""Steps of the ledger's schema; `yukjo.ledger.schema` runs them when a ledger is opened."""
