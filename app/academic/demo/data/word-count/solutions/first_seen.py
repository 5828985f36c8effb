from collections import Counter
import sys

counter = Counter()
for line in sys.stdin:
    counter.update(line.lower().split())
for word, number in counter.most_common():
    print(word, number)
