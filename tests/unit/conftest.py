import pytest


@pytest.fixture
def one_thread():
    """Networks run on one thread, as in the workflow's jobs."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
