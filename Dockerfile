# Server of pyannote-diarizen with the bundled model; docs/serve.md explains it.
#
#   docker build -t pyannote-diarizen .
#   docker build -t pyannote-diarizen:cuda --build-arg TORCH_INDEX=https://pypi.org/simple .

ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
# torch of this index is for CPUs, that of PyPI is for CUDA
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /src
# the largest layer, built again only if constraints.txt changes
COPY constraints.txt ./
RUN grep -E '^torch(audio)?==' constraints.txt > torch.txt && pip install -r torch.txt --extra-index-url "$TORCH_INDEX"
COPY pyproject.toml README.md LICENSE ./
COPY hparams hparams
COPY protocols protocols
COPY pyannote_diarizen pyannote_diarizen
RUN pip install '.[serve]' -c constraints.txt

FROM python:${PYTHON}-slim
RUN useradd --uid 10001 --create-home diarizen && install -d -o diarizen -m 700 /data
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH XDG_CACHE_HOME=/data/cache HF_HUB_OFFLINE=1 PYTHONUNBUFFERED=1
USER 10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --start-period=60s --timeout=5s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["pyannote-diarizen", "serve", "--host", "0.0.0.0", "--port", "8000", "--folder", "/data/jobs"]
