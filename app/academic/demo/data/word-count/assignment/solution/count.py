import sys
from collections import Counter

words = (word.strip(".,;:!?\"()") for word in sys.stdin.read().lower().split())
counts = Counter(word for word in words if word)
for word, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
    print(word, count)
