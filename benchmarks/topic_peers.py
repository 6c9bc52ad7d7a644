"""Other people's topic models, each as its authors recommend it, on what all are given. Run by the environment that
`benchmarks/topic_environment.py` makes; imports nothing of this project but `benchmarks.topic_fits`.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))

from benchmarks.topic_fits import LISTED, Answer, Fit, Given, run, top_words

MODULES = {
    "combinedtm": "contextualized_topic_models.models.ctm",
    "zeroshottm": "contextualized_topic_models.models.ctm",
    "bertopic": "bertopic",
    "fastopic": "fastopic",
    "keynmf": "turftopic",
    "gmm": "turftopic",
    "s3": "turftopic",
    "gensim-lda": "gensim.models",
    "sklearn-nmf": "sklearn.decomposition",
    "tomotopy": "tomotopy",
}


def _seed(seed: int) -> None:
    import torch

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    np.random.seed(seed)


def _ctm(name: str) -> Fit:
    def fit(given: Given, topics: int, seed: int) -> Answer:
        ctm = importlib.import_module("contextualized_topic_models.models.ctm")
        dataset = importlib.import_module("contextualized_topic_models.datasets.dataset")
        _seed(seed)
        texts = dataset.CTMDataset(given.vectors, given.counts, dict(enumerate(given.vocabulary)))
        model = getattr(ctm, name)(
            bow_size=len(given.vocabulary), contextual_size=given.vectors.shape[1], n_components=topics,
            num_data_loader_workers=0,
        )  # fmt: skip
        model.fit(texts)
        theta = np.asarray(model.training_doc_topic_distributions)
        return Answer(top_words(model.model.beta.detach().numpy(), given.vocabulary), theta.argmax(axis=1), theta)

    return fit


def _bertopic(given: Given, topics: int, seed: int) -> Answer:
    from bertopic import BERTopic
    from hdbscan import HDBSCAN
    from sklearn.feature_extraction.text import CountVectorizer
    from umap import UMAP

    model = BERTopic(
        umap_model=UMAP(n_neighbors=15, n_components=5, min_dist=0.0, metric="cosine", random_state=seed),
        hdbscan_model=HDBSCAN(min_cluster_size=15, metric="euclidean", prediction_data=True),
        vectorizer_model=CountVectorizer(vocabulary=given.vocabulary),
        nr_topics=topics + 1,  # the outliers are one
        top_n_words=LISTED, calculate_probabilities=False, embedding_model=None,
    )  # fmt: skip
    groups, _ = model.fit_transform([" ".join(text) for text in given.tokens], embeddings=given.vectors)
    numbers = sorted(set(model.topics_) - {-1})
    return Answer([[word for word, _ in model.get_topic(t) if word][:LISTED] for t in numbers], np.array(groups))


class _Stored:
    """Answers with vectors that were made before, as an encoder would."""

    def __init__(self, given: Given) -> None:
        self._of = dict(zip(given.vocabulary, given.word_vectors, strict=True))
        self._texts = given.vectors

    def encode(self, asked: Any, **_: object) -> Any:
        known = len(asked) and asked[0] in self._of
        return np.stack([self._of[word] for word in asked]) if known else self._texts


def _fastopic(given: Given, topics: int, seed: int) -> Answer:
    from fastopic import FASTopic

    class Preprocess:
        """The shared vocabulary and counts in the form that FASTopic asks for."""

        def preprocess(self, docs: object, **_: object) -> dict[str, Any]:
            texts = [" ".join(text) for text in given.tokens]
            return {"train_bow": given.counts, "train_texts": texts, "vocab": list(given.vocabulary)}

    _seed(seed)
    model = FASTopic(
        topics, preprocess=Preprocess(), doc_embed_model=_Stored(given), num_top_words=LISTED, device="cpu"
    )
    texts = [" ".join(text) for text in given.tokens]
    _, theta = model.fit_transform(texts, epochs=200, preset_doc_embeddings=given.vectors)
    return Answer(top_words(model.beta, given.vocabulary), np.asarray(theta).argmax(axis=1), np.asarray(theta))


def _turftopic(name: str) -> Fit:
    def fit(given: Given, topics: int, seed: int) -> Answer:
        import turftopic
        from sklearn.feature_extraction.text import CountVectorizer

        _seed(seed)
        model = getattr(turftopic, name)(
            topics, encoder=_Stored(given), vectorizer=CountVectorizer(vocabulary=given.vocabulary), random_state=seed
        )
        theta = model.fit_transform([" ".join(text) for text in given.tokens], embeddings=given.vectors)
        theta = np.asarray(theta.toarray() if hasattr(theta, "toarray") else theta)
        kept = theta if (theta >= 0).all() else None
        return Answer(top_words(model.components_, list(model.get_vocab())), theta.argmax(axis=1), kept)

    return fit


def _gensim_lda(given: Given, topics: int, seed: int) -> Answer:
    from gensim.corpora import Dictionary
    from gensim.models import LdaModel

    words = Dictionary(given.tokens)
    texts = [words.doc2bow(text) for text in given.tokens]
    model = LdaModel(texts, topics, words, passes=10, alpha="auto", eta="auto", random_state=seed)
    theta = np.zeros((len(texts), topics), np.float32)
    for row, mixture in enumerate(model.get_document_topics(texts, minimum_probability=0)):
        for topic, weight in mixture:
            theta[row, topic] = weight
    return Answer(top_words(model.get_topics(), [words[i] for i in range(len(words))]), theta.argmax(axis=1), theta)


def _sklearn_nmf(given: Given, topics: int, seed: int) -> Answer:
    from sklearn.decomposition import NMF
    from sklearn.feature_extraction.text import TfidfTransformer

    model = NMF(topics, init="nndsvd", random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # 200 iterations do not suffice for its tolerance
        theta = model.fit_transform(TfidfTransformer(sublinear_tf=True).fit_transform(given.counts))
    return Answer(top_words(model.components_, given.vocabulary), theta.argmax(axis=1), theta)


def _tomotopy(given: Given, topics: int, seed: int) -> Answer:
    import tomotopy

    model = tomotopy.LDAModel(k=topics, seed=seed + 1)
    for text in given.tokens:
        model.add_doc(text)
    model.train(1000, workers=1)
    theta = np.stack([text.get_topic_dist() for text in model.docs])
    words = [[word for word, _ in model.get_topic_words(k, top_n=LISTED)] for k in range(topics)]
    return Answer(words, theta.argmax(axis=1), theta)


FITS: dict[str, Fit] = {
    "combinedtm": _ctm("CombinedTM"),
    "zeroshottm": _ctm("ZeroShotTM"),
    "bertopic": _bertopic,
    "fastopic": _fastopic,
    "keynmf": _turftopic("KeyNMF"),
    "gmm": _turftopic("GMM"),
    "s3": _turftopic("SemanticSignalSeparation"),
    "gensim-lda": _gensim_lda,
    "sklearn-nmf": _sklearn_nmf,
    "tomotopy": _tomotopy,
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    run(FITS, lambda model: importlib.import_module(MODULES[model]), sys.argv[1:])
