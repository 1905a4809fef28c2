"""The texts that people read: notices and warnings, words for values, and the visible form of texts from outside."""
