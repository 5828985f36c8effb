text = input().lower().split()
seen = []
for word in text:
    if word not in seen:
        seen.append(word)
seen.sort()
seen.sort(key=text.count, reverse=True)
for word in seen:
    print(word, text.count(word))
