import sys

words = []
while True:
    line = sys.stdin.readline()
    words += line.lower().split()
    if line == "end\n":
        break
for word in sorted(set(words), key=lambda w: (-words.count(w), w)):
    print(word, words.count(word))
