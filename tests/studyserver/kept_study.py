"""A study that is made once and put back for every other test: its rows and the files of its data folder."""

import pathlib
import shutil

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction

__all__ = ["KeptStudy"]


class KeptStudy:
    """What the database holds of the product at one moment, and a copy of the data folder in `folder`."""

    def __init__(self, data_dir: pathlib.Path, folder: pathlib.Path):
        models = apps.get_app_config("studyserver").get_models(include_auto_created=True)
        rows = {model: list(model._base_manager.all()) for model in models}
        self._rows = {model: objects for model, objects in rows.items() if objects}
        self._folder = shutil.copytree(data_dir, folder)

    def put_back(self, data_dir: pathlib.Path) -> None:
        """Write all of it into an empty database and data folder."""
        with transaction.atomic(), connection.cursor() as cursor:
            for model, objects in self._rows.items():
                model._base_manager.bulk_create(objects)
            for statement in connection.ops.sequence_reset_sql(no_style(), self._rows):
                cursor.execute(statement)
        shutil.copytree(self._folder, data_dir, dirs_exist_ok=True)
