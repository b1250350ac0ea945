// Enter goes on, but the page begins at its top: the autofocus of HTML would scroll down to the button.

document.getElementById("go-on").focus({ preventScroll: true });
