"""Writes content.bz2, the content of source_test.go compressed with Python's bz2.

    python make.py      (Python 3.11)
"""
import bz2
import os

os.chdir(os.path.dirname(os.path.abspath(__file__)))
with open("content.bz2", "wb") as f:
    f.write(bz2.compress(bytes(i // 40 * i // 97 % 256 for i in range(1500))))
