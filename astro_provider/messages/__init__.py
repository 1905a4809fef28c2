"""The texts that people read: notices and warnings, words for values, and what is shown of texts from outside."""
