// The form's own submit could be hidden behind an input of that name, so the prototype's is called.
HTMLFormElement.prototype.submit.call(document.getElementById("form_post"));
