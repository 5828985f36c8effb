import sys

counts = {}
for line in sys.stdin:
    for word in line.split():
        word = word.lower().strip(".,!?;:")
        if word == "":
            continue
        if word in counts:
            counts[word] += 1
        else:
            counts[word] = 1


def order(word):
    return -counts[word], word


for word in sorted(counts, key=order):
    print(f"{word} {counts[word]}")
