"""Demo data: a small faculty whose work the jobs themselves grade, compare and count."""
