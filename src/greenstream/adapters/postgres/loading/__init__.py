"""The ledger of files, the transaction of one, files that wait."""
