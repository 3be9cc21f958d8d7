"""Two stages one after another: what each fact of a case became on its way, and by whose doing.

Pure functions of texts; nothing is asked and nothing is written here.
"""
