import string
import sys

print("Please type your text:")
table = str.maketrans("", "", string.punctuation)
words = sys.stdin.read().translate(table).lower().split()
for word in sorted(set(words), key=lambda w: (-words.count(w), w)):
    print(word, words.count(word))
