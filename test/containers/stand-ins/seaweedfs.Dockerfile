# SeaweedFS of the lab under the conventions of its image: `weed` on the path, `wget`, data in /data.
FROM node:24-bookworm-slim
COPY weed /usr/bin/weed
COPY get.mjs /usr/bin/wget
VOLUME /data
ENTRYPOINT ["weed"]
