import re
import sys
from collections import Counter

found = Counter(re.findall(r"[a-z']+", sys.stdin.read().lower()))
for word in sorted(found, key=lambda w: (-found[w], w)):
    print(word, found[word])
