"""Facts of the Korean language and of Korean official writing, as pure functions of text."""
