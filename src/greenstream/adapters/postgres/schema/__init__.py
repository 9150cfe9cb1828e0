"""Migrations, partitions, rights."""
