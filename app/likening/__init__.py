"""What the register holds, as one process compares with it: read once, and followed by the log.

Nothing of it is there before somebody asks. Then the model is loaded, and what is published is read
with the vectors that are stored; what has none gets one. From then on, whoever asks has the lines
read that came since. All comparing is done on one thread, which takes turns with others.
"""

from app.likening.asking import Likening, Similar, Suggested
from app.likening.emerging import Emerging
from app.likening.judging import Judging

__all__ = ["Emerging", "Judging", "Likening", "Similar", "Suggested"]
