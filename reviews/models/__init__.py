from reviews.models.items import ReviewItem, Skip
from reviews.models.labels import Label, Rubric

__all__ = ["Label", "ReviewItem", "Rubric", "Skip"]
