from reviews.models.items import EndedRollout, ReviewItem, Skip
from reviews.models.labels import Label, Rubric

__all__ = ["EndedRollout", "Label", "ReviewItem", "Rubric", "Skip"]
