"""From material to what is learnt: one function a recipe."""

from __future__ import annotations

from training.material import Material
from training.recipes.contrastive import (
    MirrorLesson,
    MirrorSettings,
    PairsLesson,
    PairsSettings,
    SimcseLesson,
    SimcseSettings,
)
from training.recipes.lesson import sentences_of
from training.recipes.restoring import MlmLesson, MlmSettings, TsdaeLesson, TsdaeSettings
from training.recipes.student import Student


def mirror(student: Student, settings: MirrorSettings, seed: int, material: Material) -> MirrorLesson:
    return MirrorLesson(student, settings, seed, sentences_of(material))


def simcse(student: Student, settings: SimcseSettings, seed: int, material: Material) -> SimcseLesson:
    return SimcseLesson(student, settings, seed, sentences_of(material))


def tsdae(student: Student, settings: TsdaeSettings, seed: int, material: Material) -> TsdaeLesson:
    return TsdaeLesson(student, settings, seed, sentences_of(material))


def mlm(student: Student, settings: MlmSettings, seed: int, material: Material) -> MlmLesson:
    return MlmLesson(student, settings, seed, sentences_of(material))


def pairs(student: Student, settings: PairsSettings, seed: int, material: Material) -> PairsLesson:
    return PairsLesson(student, settings, seed, material.pairs)
