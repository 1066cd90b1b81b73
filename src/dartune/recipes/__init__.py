"""Recipes: the packaged ones beside this file, and reading, changing and writing any of them."""

from dartune.recipes.files import change_recipe, load_recipe, packaged_recipes, recipe_hash, recipe_toml

__all__ = ["change_recipe", "load_recipe", "packaged_recipes", "recipe_hash", "recipe_toml"]
