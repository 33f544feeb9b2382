# Iceberg's REST server of the lab behind a front that speaks as Apache Polaris does, for both of its images.
FROM node:24-bookworm-slim
COPY jdk /opt/jdk
COPY lib /opt/iceberg
COPY get.mjs /usr/bin/curl
COPY polaris.mjs /opt/polaris.mjs
USER 1000:1000
ENTRYPOINT ["node", "/opt/polaris.mjs"]
