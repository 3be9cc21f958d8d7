"""Files from anywhere, read in a process of its own: documents to blocks, tables to cells."""
